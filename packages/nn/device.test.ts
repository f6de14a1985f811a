import { tensor } from '@enigma/tensor'
import { expect, it } from 'vitest'
import { losses, nn, optim } from './index.js'

const unavailable = (device: string) => ({ code: 'DEVICE_UNAVAILABLE', message: new RegExp(`'${device}'.*use `) })
const x = tensor([1, 2], [1, 2])
const y = tensor([3], [1, 1])

it('prediction and training go to the device of the network; one that is not there is a typed error with the fix', async () => {
  const missing = 'metal'
  const net = new nn.Linear(2, 1, { seed: 1 }).to(missing as 'cuda')
  await expect(net.predict(x)).rejects.toMatchObject(unavailable(missing))
  const step = await net.compileStep({ loss: losses.mse, optimizer: optim.sgd({ lr: 0.1 }) })
  await expect(step({ x, y })).rejects.toMatchObject(unavailable(missing))
  const here = await net.to('cpu').compileStep({ loss: losses.mse, optimizer: optim.sgd({ lr: 0.1 }) })
  expect((await here({ x, y })).loss).toBeGreaterThan(0)
  await here.close()
  expect((await net.predict(x)).shape).toEqual([1, 1])
  await net.release()
})

it('a step may name a device of its own', async () => {
  const net = new nn.Linear(2, 1, { seed: 1 })
  const missing = 'metal'
  const step = await net.compileStep({ loss: losses.mse, optimizer: optim.sgd({ lr: 0.1 }), device: missing as 'cuda' })
  await expect(step({ x, y })).rejects.toMatchObject(unavailable(missing))
})
