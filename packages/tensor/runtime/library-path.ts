import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { TensorError } from '../errors.js'

const fileNames: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
}

/** The shared library that ships inside `onnxruntime-node`, for this platform and architecture. */
export function libraryPath(platform: NodeJS.Platform = process.platform, arch: string = process.arch): string {
  const fileName = fileNames[platform]
  let root: string
  try {
    root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
  } catch (cause) {
    throw new TensorError('RUNTIME_UNAVAILABLE', "The package 'onnxruntime-node' is not installed: run `npm install`.", { cause })
  }
  const path = fileName && join(root, 'bin', 'napi-v6', platform, arch, fileName)
  if (!path || !existsSync(path))
    throw new TensorError(
      'RUNTIME_UNAVAILABLE',
      `onnxruntime-node has no library for ${platform}-${arch}. It has linux-x64, linux-arm64, darwin-arm64, win32-x64 and win32-arm64.`,
    )
  return path
}
