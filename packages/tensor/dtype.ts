/** Element types of tensors and what each is in a JavaScript typed array and in ONNX (`TensorProto.DataType`). */
export const dtypes = {
  f32: { onnx: 1, bytes: 4, array: Float32Array },
  u8: { onnx: 2, bytes: 1, array: Uint8Array },
  i8: { onnx: 3, bytes: 1, array: Int8Array },
  i32: { onnx: 6, bytes: 4, array: Int32Array },
  i64: { onnx: 7, bytes: 8, array: BigInt64Array },
  bool: { onnx: 9, bytes: 1, array: Uint8Array },
  /** IEEE half precision, held as raw 16-bit words: storage only, never computed on. */
  f16: { onnx: 10, bytes: 2, array: Uint16Array },
  /** The upper half of an f32 (bfloat16), held as raw 16-bit words: storage only. */
  bf16: { onnx: 16, bytes: 2, array: Uint16Array },
} as const

export type DType = keyof typeof dtypes
/** The typed array that holds elements of each type; over an `ArrayBuffer` or a `SharedArrayBuffer`. */
export interface ArrayTypes {
  f32: Float32Array
  u8: Uint8Array
  i8: Int8Array
  i32: Int32Array
  i64: BigInt64Array
  bool: Uint8Array
  f16: Uint16Array
  bf16: Uint16Array
}
export type TypedArray = ArrayTypes[DType]

/** Sizes of the dimensions, outermost first; `[]` is a scalar. */
export type Shape = readonly number[]

/** A tensor in host memory, row-major and dense. `data` may lie over a `SharedArrayBuffer`; it is never copied by the runtime. */
export interface HostTensor {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: TypedArray
}

/** Whether a tensor of this type holds real numbers; the others hold integers or truth values. */
export const isFloat = (dtype: DType): boolean => dtype === 'f32' || dtype === 'f16' || dtype === 'bf16'

/** Number of elements of a shape (1 for a scalar). */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, dim) => product * dim, 1)
}
