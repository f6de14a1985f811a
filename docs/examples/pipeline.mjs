// SpiralTorch guide, "Dynamic Module Composition": a layer type of your own, and a pipeline of layers by name.
import { builtinLayers, Layer, nn, PipelineBuilder } from '@enigma/nn'
import { tensor } from '@enigma/tensor'

class MyCustomConv extends Layer {
  constructor(inChannels, outChannels) {
    super()
    this.conv = new nn.Conv2d(inChannels, outChannels, 3, { padding: 'same' })
  }
  forward(x) {
    return this.conv.forward(x)
  }
}

// Registering module factories
const registry = builtinLayers()
registry.register(
  {
    type: 'custom_conv',
    displayName: 'Custom Convolution',
    description: 'Specialized convolution layer',
    category: 'Convolution',
    parameters: {
      in_channels: { type: 'integer', description: 'channels of the input', default: 3, minimum: 1 },
      out_channels: { type: 'integer', description: 'channels of the result', default: 64, minimum: 1 },
    },
    inputShape: ['in_channels', 'height', 'width'],
    outputShape: ['out_channels', 'height', 'width'],
  },
  (config) => new MyCustomConv(config.in_channels, config.out_channels),
)

// Building pipelines
const pipeline = new PipelineBuilder(registry)
  .withName('my_model')
  .addLayer('custom_conv', { in_channels: '3', out_channels: '64' })
  .addLayer('relu')
  .addLayer('maxpool', { kernel_size: '2' })
  .build({ input: [3, 224, 224] })
console.log(pipeline.describe())

const image = tensor(new Array(3 * 224 * 224).fill(0.5), [1, 3, 224, 224])
console.log(`Result: [${(await pipeline.predict(image)).shape.join(', ')}]`)
await pipeline.release()

// A stage that does not fit is named before anything runs.
try {
  new PipelineBuilder(registry)
    .withName('my_model')
    .addLayer('maxpool', { kernel_size: 2 })
    .addLayer('custom_conv', { in_channels: 4 })
    .build({ input: [3, 224, 224] })
} catch (error) {
  console.log(error.message)
}
