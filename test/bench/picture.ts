/** A bar of the picture. */
export interface Bar {
  title: string
  rows: number
  speed: number
}

const WIDTH = 760
const LABEL = 300
const ROW = 34
const TOP = 44

/** Bars of rows per second as SVG, readable on light and on dark ground. */
export function drawSpeeds(bars: readonly Bar[]): string {
  const fastest = Math.max(...bars.map(({ speed }) => speed))
  const height = TOP + bars.length * ROW + 8
  const drawn = bars.map(({ title, rows, speed }, at) => {
    const y = TOP + at * ROW
    const width = Math.max(2, (speed / fastest) * (WIDTH - LABEL - 190))
    const isOurs = title.includes('uploadCsv')
    const number = Math.round(speed).toLocaleString('en')
    return [
      `  <text x="${LABEL - 10}" y="${y + 17}" text-anchor="end" class="label${isOurs ? ' ours' : ''}">${escapeXml(title.replaceAll('`', ''))}</text>`,
      `  <rect x="${LABEL}" y="${y + 2}" width="${width.toFixed(1)}" height="22" rx="3" class="${isOurs ? 'bar-ours' : 'bar'}"/>`,
      `  <text x="${LABEL + Number(width.toFixed(1)) + 8}" y="${y + 17}" class="label${isOurs ? ' ours' : ''}">${number}<tspan class="note"> (file of ${rows.toLocaleString('en')})</tspan></text>`,
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
  <title id="title">Rows per second of an upload of new customers, by method</title>
  <style>
    text { font: 13px system-ui, sans-serif; fill: #24292f }
    .heading { font-size: 14px; font-weight: 600 }
    .ours { font-weight: 600 }
    .note { fill: #57606a; font-weight: 400 }
    .bar { fill: #8c959f }
    .bar-ours { fill: #1a7f37 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .note { fill: #9198a1 }
      .bar { fill: #6e7681 }
      .bar-ours { fill: #3fb950 }
    }
  </style>
  <text x="8" y="22" class="heading">Rows per second, new customers (each with the largest file it was run with)</text>
${drawn.join('\n')}
</svg>
`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
