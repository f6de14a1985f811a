export { type BatchMap, type BatchPosition, DataLoader, type DataLoaderOptions } from './data-loader.js'
export { type Dataset, subset, tensorDataset } from './dataset.js'
export { readIdx } from './read-idx.js'
