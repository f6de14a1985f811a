import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Curve } from './training-job.js'

const height = 260

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

/** Loss over steps, and the validation text's bits per byte where it was measured. */
export function Plot({ curve, theme }: { readonly curve: Curve; readonly theme: string }) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(undefined)
  // biome-ignore lint/correctness/useExhaustiveDependencies: other colours make another plot
  useEffect(() => {
    const { current: element } = box
    if (!element) return
    const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line') } }
    const made = new UPlot(
      {
        width: element.clientWidth,
        height,
        scales: { x: { time: false } },
        axes: [axis, { ...axis, size: 56 }],
        series: [
          { label: 'step' },
          { label: 'loss (nats per token)', stroke: colour('--accent'), width: 2, spanGaps: true },
          { label: 'bits per byte, held out', stroke: colour('--good'), width: 2, spanGaps: true, points: { show: true } },
        ],
      },
      [[], [], []],
      element,
    )
    plot.current = made
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    watcher.observe(element)
    return () => {
      watcher.disconnect()
      made.destroy()
    }
  }, [theme])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new plot is empty until it is given the curve
  useEffect(() => {
    plot.current?.setData([[...curve.steps], [...curve.loss], [...curve.bitsPerByte]])
  }, [curve, theme])
  const last = curve.loss.at(-1)
  return (
    <div
      className="plot"
      ref={box}
      role="img"
      aria-label={`Loss over ${curve.steps.length} reports, last ${last?.toFixed(3) ?? 'none'}`}
    />
  )
}
