export { decodeModel, type OnnxModel } from './read-protobuf.js'
