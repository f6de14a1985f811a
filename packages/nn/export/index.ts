export { type ExportedOnnx, type ExportOptions, exportOnnx } from './export-onnx.js'
export { importOnnx } from './import-onnx.js'
export { OnnxNetwork } from './onnx-network.js'
