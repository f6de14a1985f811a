import { describe, expect, it } from 'vitest'
import { SharedArena } from './arena.js'

describe('SharedArena', () => {
  it('gives zeroed tensors of any type, 64-byte aligned and apart from each other', () => {
    const arena = new SharedArena()
    const first = arena.allocate('f32', [3])
    const second = arena.allocate('i64', [2, 2])
    expect(first).toMatchObject({ dtype: 'f32', shape: [3], shard: 0, byteOffset: 0 })
    expect(second).toMatchObject({ dtype: 'i64', shape: [2, 2], shard: 0, byteOffset: 64 })
    expect(second.data).toBeInstanceOf(BigInt64Array)
    expect([...first.data]).toEqual([0, 0, 0])
    second.data.fill(-1n)
    expect([...first.data]).toEqual([0, 0, 0])
    expect(arena.usedBytes).toBe(128)
  })

  it('lies over shared memory', () => {
    expect(new SharedArena().allocate('u8', [1]).data.buffer).toBeInstanceOf(SharedArrayBuffer)
  })

  it('keeps earlier tensors valid as a shard grows', () => {
    const arena = new SharedArena()
    const early = arena.allocate('f32', [2])
    early.data[0] = 5
    const late = arena.allocate('f32', [100_000])
    late.data.fill(7)
    early.data[1] = 6
    expect([...new Float32Array(late.data.buffer, early.byteOffset, 2)]).toEqual([5, 6])
  })

  it('never splits a tensor over shards, and uses what space is left in earlier ones', () => {
    const arena = new SharedArena({ shardBytes: 65536 })
    const kibibyte = () => arena.allocate('u8', [1024]).shard
    expect(arena.allocate('u8', [40_000]).shard).toBe(0)
    expect(arena.allocate('u8', [40_000]).shard).toBe(1)
    expect(kibibyte()).toBe(0)
    expect(arena.allocate('u8', [65536]).shard).toBe(2)
  })

  it('holds scalars and tensors without elements', () => {
    const arena = new SharedArena()
    expect(arena.allocate('f32', []).data.length).toBe(1)
    expect(arena.allocate('f32', [0, 5]).data.length).toBe(0)
  })

  it('says how much was asked for and what is left', () => {
    const arena = new SharedArena({ bytes: 1024, shardBytes: 512 })
    arena.allocate('f32', [64])
    const asked = (message: RegExp) => expect.objectContaining({ code: 'OUT_OF_MEMORY', message: expect.stringMatching(message) })
    expect(() => arena.allocate('f32', [200])).toThrow(asked(/f32 \[200\] takes 832 bytes.*768 left/))
    expect(() => arena.allocate('f32', [160])).toThrow(asked(/takes 640 bytes.*one shard of 512/))
    arena.dispose()
    expect(() => arena.allocate('f32', [1])).toThrow(asked(/disposed/))
  })
})
