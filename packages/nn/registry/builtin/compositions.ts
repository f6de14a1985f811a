import * as layers from '../../layers/index.js'
import { type LayerType, layerType } from '../layer-registry.js'

export const compositions: readonly LayerType[] = [
  layerType(
    {
      type: 'sequential',
      displayName: 'Sequential',
      description: 'layers one after the other',
      category: 'Layer',
      parameters: { layers: { type: 'stages', description: 'the layers', required: true } },
    },
    ({ layers: stages }, { build }) => build(stages, 'layers'),
  ),
  layerType(
    {
      type: 'residual',
      displayName: 'Residual',
      description: 'x + the result of layers that keep the shape',
      category: 'Layer',
      parameters: { layers: { type: 'stages', description: 'the layers', required: true } },
    },
    ({ layers: stages }, { build }) => new layers.Residual(build(stages, 'layers')),
  ),
  layerType(
    {
      type: 'parallel',
      displayName: 'Parallel',
      description: 'several branches over the same tensor, their results joined',
      category: 'Layer',
      parameters: {
        branches: { type: 'branches', description: 'the layers of each branch', required: true },
        join: { type: 'string', description: 'how results are joined', default: 'concat', values: ['concat', 'add', 'mul'] },
        axis: { type: 'integer', description: 'dimension of concat, the batch being 0', default: 1 },
      },
    },
    ({ branches, ...options }, { build }) =>
      new layers.Parallel(
        branches.map((stages, index) => build(stages, `branches.${index}`)),
        options,
      ),
  ),
]
