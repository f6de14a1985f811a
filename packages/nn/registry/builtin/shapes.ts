import * as layers from '../../layers/index.js'
import { type LayerType, layerType } from '../layer-registry.js'
import { flag, size, sizes } from './parameters.js'

/** Layers that move or repeat elements, without weights. Dimensions are counted with the batch, which is 0. */
export const shapes: readonly LayerType[] = [
  layerType(
    {
      type: 'flatten',
      displayName: 'Flatten',
      description: 'dimensions joined to one; all but the batch where none are given',
      category: 'Layer',
      parameters: {
        startDim: { type: 'integer', description: 'first dimension that is joined', default: 1 },
        endDim: { type: 'integer', description: 'last dimension that is joined', default: -1 },
      },
    },
    (options) => new layers.Flatten(options),
  ),
  layerType(
    {
      type: 'unflatten',
      displayName: 'Unflatten',
      description: 'a dimension taken apart into several',
      category: 'Layer',
      parameters: {
        dim: { type: 'integer', description: 'the dimension that is taken apart', default: 1 },
        unflattenedSize: { ...sizes('sizes of the new dimensions', 0), required: true },
      },
    },
    ({ dim, unflattenedSize }) => new layers.Unflatten(dim, [unflattenedSize].flat()),
  ),
  layerType(
    {
      type: 'upsample',
      displayName: 'Upsample',
      description: 'a sequence or an image resized by interpolation',
      category: 'Layer',
      parameters: {
        size: sizes('new sizes; this or scaleFactor', 1),
        scaleFactor: { type: 'numbers', description: 'factor on each size; this or size', exclusiveMinimum: 0 },
        mode: {
          type: 'string',
          description: 'how elements are interpolated',
          default: 'nearest',
          values: ['nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'area'],
        },
        alignCorners: flag("whether the corners' centres keep their place", false),
      },
    },
    (options) => new layers.Upsample(options),
  ),
  layerType(
    {
      type: 'pixelshuffle',
      displayName: 'Pixel shuffle',
      description: 'channels become pixels',
      category: 'Layer',
      parameters: { upscaleFactor: size('factor on height and width') },
      inputShape: ['channels', 'height', 'width'],
    },
    ({ upscaleFactor }) => new layers.PixelShuffle(upscaleFactor),
  ),
  layerType(
    {
      type: 'pixelunshuffle',
      displayName: 'Pixel unshuffle',
      description: 'pixels become channels',
      category: 'Layer',
      parameters: { downscaleFactor: size('divisor of height and width') },
      inputShape: ['channels', 'height', 'width'],
    },
    ({ downscaleFactor }) => new layers.PixelUnshuffle(downscaleFactor),
  ),
]
