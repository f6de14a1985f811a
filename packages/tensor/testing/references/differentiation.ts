import type { References } from './cases.js'

const shapes = [[], [3], [2, 3], [0, 2], [1, 1, 4]]

export const differentiation: References = {
  straightThrough: {
    value: ([forward]) => forward!,
    cases: shapes.map((shape) => ({ shapes: [shape, shape] })),
    notDifferentiable: 'its gradient is not that of its value, which has its own test',
  },
  runAfter: {
    value: ([x]) => x!,
    cases: [...shapes.map((shape) => ({ shapes: [shape, [2, 2]] })), { shapes: [[2], [0]] }, { shapes: [[2], []] }],
  },
}
