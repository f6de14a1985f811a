/**
 * Recurrent layers. Where nothing is differentiated each is one node of ONNX. A derivative needs the gates of every step, which
 * that node does not give: then the layer runs as its steps (`unrolled`), which keep them. A step's tensors are [H, B]: a product
 * of a large weight with few columns needs no repacking of the weight, and gates are whole rows.
 *
 * Everything in a step is written to wait for the step before it, although products with x and slopes of gates need not: the
 * slope of a sigmoid s times v is u - u·s with u = v·s. The time in which ONNX Runtime builds a session grows with the number of
 * nodes that could run at once; for 256 steps this way takes a third of the other's.
 */
import type { Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { defineOps, type Gradients } from './define.js'
import {
  batchesOf,
  f32,
  join,
  lowerWith,
  overTime,
  type Sizes,
  sizesOf,
  stepGradients,
  sumOf,
  transposedOnce,
} from './recurrence.js'

/** What a step of an LSTM keeps, each [H, B]: the gates, c, tanh(c) and h. */
const lstmKept = ['i', 'f', 'g', 'o', 'c', 'tanhC', 'h'] as const
/** What a step of a GRU keeps, each [H, B]: gates, r times the state's part of n, z times (h - n), and the new h. */
const gruKept = ['r', 'z', 'n', 'rn', 'zd', 'h'] as const

type Kept<Name extends string> = Readonly<Record<Name, Tensor>>

const auxiliary = (names: readonly string[], { T, B, H }: Sizes): Value[] =>
  Array.from({ length: T * names.length }, () => f32([H, B]))

/** The auxiliary outputs by step. */
const keptOf = <Name extends string>(names: readonly Name[], outputs: readonly Tensor[]): Kept<Name>[] =>
  Array.from({ length: outputs.length / names.length }, (_, t) => {
    const step = names.map((name, index) => [name, outputs[t * names.length + index]!] as const)
    return Object.fromEntries(step) as Kept<Name>
  })

const listed = <Name extends string>(names: readonly Name[], steps: readonly Kept<Name>[]): Tensor[] =>
  steps.flatMap((step) => names.map((name) => step[name]))

export const recurrent = defineOps({
  lstm: {
    summary:
      'long short-term memory (Hochreiter & Schmidhuber 1997) over x [T, B, I] with gates i, f, g, o as in PyTorch: c = f·c + i·g, h = o·tanh(c); gives h of all steps, the last h and the last c',
    results: 3,
    unrolled: true,
    infer(inputs) {
      const sizes = sizesOf('lstm', 4, inputs)
      const { T, B, H } = sizes
      return [f32([T, B, H]), f32([B, H]), f32([B, H]), ...auxiliary(lstmKept, sizes)]
    },
    decompose(inputs) {
      const sizes = sizesOf('lstm', 4, inputs)
      const { H } = sizes
      const [x, weightIh, weightHh, biasIh, biasHh, h0, c0] = inputs
      const bias = biasIh!.add(biasHh!).reshape([4 * H, 1])
      let [h, c] = [h0!.transpose(), c0!.transpose()]
      const steps = batchesOf(x!, sizes).map((xt) => {
        const sums = weightHh!
          .matmul(h)
          .add(bias)
          .add(weightIh!.matmul(xt, { transB: true }))
        const [inForget, cell, out] = sums.split([2 * H, H, H], 0) as [Tensor, Tensor, Tensor]
        const [i, f] = inForget.sigmoid().split([H, H], 0) as [Tensor, Tensor]
        const [g, o] = [cell.tanh(), out.sigmoid()]
        c = f.mul(c).add(i.mul(g))
        const tanhC = c.tanh()
        h = o.mul(tanhC)
        return { i, f, g, o, c, tanhC, h }
      })
      return [overTime(steps.map((step) => step.h)), h.transpose(), c.transpose(), ...listed(lstmKept, steps)]
    },
    vjp({ inputs, outputs, gradients }): Gradients {
      const sizes = sizesOf('lstm', 4, inputs)
      const { T, B, I } = sizes
      const [x, weightIh, weightHh, , , h0, c0] = inputs
      const steps = keptOf(lstmKept, outputs.slice(3))
      const back = transposedOnce(weightHh!)
      const dys = stepGradients(gradients, h0!, sizes)
      const dGates: Tensor[] = []
      let dc = gradients[2]?.transpose()
      for (let t = T - 1; t >= 0; t--) {
        const { i, f, g, o, tanhC } = steps[t]!
        const dh: Tensor = sumOf(dys[t], dGates[0] && back.matmul(dGates[0]))
        const dTanh = dh.mul(o)
        const byO = dTanh.mul(tanhC)
        const dct: Tensor = sumOf(dc, dTanh.sub(byO.mul(tanhC)))
        const dG = dct.mul(i)
        const byI = dG.mul(g)
        dc = dct.mul(f)
        const byF = dc.mul(t > 0 ? steps[t - 1]!.c : c0!.transpose())
        const sums = [byI.sub(byI.mul(i)), byF.sub(byF.mul(f)), dG.sub(byI.mul(g)), byO.sub(byO.mul(o))]
        dGates.unshift(join(sums, 0))
      }
      const all = join(dGates, 1)
      const before = join([h0!.transpose(), ...steps.slice(0, -1).map(({ h }) => h)], 1)
      const dBias = all.sum(1)
      return [
        all.matmul(weightIh!, { transA: true }).reshape([T, B, I]),
        all.matmul(x!.reshape([T * B, I])),
        all.matmul(before, { transB: true }),
        dBias,
        dBias,
        back.matmul(dGates[0]!).transpose(),
        dc!.transpose(),
      ]
    },
    lower: (context) => lowerWith('LSTM', [0, 3, 1, 2], context),
  },

  gru: {
    summary:
      'gated recurrent unit (Cho et al. 2014) over x [T, B, I] with gates r, z, n as in PyTorch: n = tanh(Wx + b + r·(Uh + c)), h = (1-z)·n + z·h; gives h of all steps and the last h',
    results: 2,
    unrolled: true,
    infer(inputs) {
      const sizes = sizesOf('gru', 3, inputs)
      const { T, B, H } = sizes
      return [f32([T, B, H]), f32([B, H]), ...auxiliary(gruKept, sizes)]
    },
    decompose(inputs) {
      const sizes = sizesOf('gru', 3, inputs)
      const { H } = sizes
      const [x, weightIh, weightHh, biasIh, biasHh, h0] = inputs
      const parts = (w: Tensor) => w.reshape([3 * H, -1]).split([2 * H, H], 0) as [Tensor, Tensor]
      const [[gatesIh, newIh], [gatesHh, newHh]] = [parts(weightIh!), parts(weightHh!)]
      const [[gatesBiasIh, newBiasIh], [gatesBiasHh, newBiasHh]] = [parts(biasIh!), parts(biasHh!)]
      const gatesBias = gatesBiasIh.add(gatesBiasHh)
      let h = h0!.transpose()
      const steps = batchesOf(x!, sizes).map((xt) => {
        const gates = gatesHh
          .matmul(h)
          .add(gatesBias)
          .add(gatesIh.matmul(xt, { transB: true }))
        const [r, z] = gates.sigmoid().split([H, H], 0) as [Tensor, Tensor]
        const rn = r.mul(newHh.matmul(h).add(newBiasHh))
        const n = rn
          .add(newBiasIh)
          .add(newIh.matmul(xt, { transB: true }))
          .tanh()
        const zd = z.mul(h.sub(n))
        h = n.add(zd)
        return { r, z, n, rn, zd, h }
      })
      return [overTime(steps.map((step) => step.h)), h.transpose(), ...listed(gruKept, steps)]
    },
    vjp({ inputs, outputs, gradients }): Gradients {
      const sizes = sizesOf('gru', 3, inputs)
      const { T, B, I, H } = sizes
      const [x, weightIh, weightHh, , , h0] = inputs
      const steps = keptOf(gruKept, outputs.slice(2))
      const back = transposedOnce(weightHh!)
      const dys = stepGradients(gradients, h0!, sizes)
      // For each step, gradients of r's and z's sums and of the new state's two parts, from the state and from x.
      const dAll: Tensor[] = []
      let dh: Tensor | undefined
      for (let t = T - 1; t >= 0; t--) {
        const { r, z, n, rn, zd } = steps[t]!
        const dht: Tensor = sumOf(dys[t], dh)
        const keep = dht.mul(z)
        const fresh = dht.sub(keep)
        const dNew = fresh.sub(fresh.mul(n).mul(n))
        const [throughR, throughZ] = [dNew.mul(rn), dht.mul(zd)]
        const dState = join([throughR.sub(throughR.mul(r)), throughZ.sub(throughZ.mul(z)), dNew.mul(r)], 0)
        dh = keep.add(back.matmul(dState))
        dAll.unshift(join([dState, dNew], 0))
      }
      const all = join(dAll, 1)
      const dFromH = all.slice(0, 0, 3 * H)
      const dFromX = join([all.slice(0, 0, 2 * H), all.slice(0, 3 * H, 4 * H)], 0)
      const before = join([h0!.transpose(), ...steps.slice(0, -1).map(({ h }) => h)], 1)
      return [
        dFromX.matmul(weightIh!, { transA: true }).reshape([T, B, I]),
        dFromX.matmul(x!.reshape([T * B, I])),
        dFromH.matmul(before, { transB: true }),
        dFromX.sum(1),
        dFromH.sum(1),
        dh!.transpose(),
      ]
    },
    lower: (context) => lowerWith('GRU', [1, 0, 2], context),
  },
})
