import { lexer, type Token, type Tokens } from 'marked'
import { Fragment, memo, type ReactNode } from 'react'
import { CopyButton } from './copy-button.js'

// What a model writes is not to be trusted: it becomes elements of this table and nothing else. HTML in it is shown as text, pictures
// as links, and links lead to web and mail addresses only.

type Draw = (token: never) => ReactNode

const safeLink = /^(https?:|mailto:)/i

const inner = (token: { readonly tokens?: Token[] | undefined }) => nodes(token.tokens ?? [])

const link = (href: string, children: ReactNode) =>
  safeLink.test(href) ? (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  ) : (
    children
  )

const drawings: Readonly<Record<string, Draw>> = {
  space: () => null,
  heading: (token: Tokens.Heading) => <p className="heading">{inner(token)}</p>,
  paragraph: (token: Tokens.Paragraph) => <p>{inner(token)}</p>,
  blockquote: (token: Tokens.Blockquote) => <blockquote>{inner(token)}</blockquote>,
  hr: () => <hr />,
  list: ({ ordered, start, items }: Tokens.List) => {
    const children = items.map((item) => <li key={items.indexOf(item)}>{inner(item)}</li>)
    return ordered ? <ol start={Number(start) || 1}>{children}</ol> : <ul>{children}</ul>
  },
  checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '☑ ' : '☐ '),
  code: ({ text, lang }: Tokens.Code) => <CodeBlock text={text} language={lang} />,
  table: (token: Tokens.Table) => <Table token={token} />,
  text: (token: Tokens.Text) => (token.tokens ? inner(token) : plain(token.text)),
  escape: ({ text }: Tokens.Escape) => text,
  strong: (token: Tokens.Strong) => <strong>{inner(token)}</strong>,
  em: (token: Tokens.Em) => <em>{inner(token)}</em>,
  del: (token: Tokens.Del) => <del>{inner(token)}</del>,
  codespan: ({ text }: Tokens.Codespan) => <code>{text}</code>,
  br: () => <br />,
  link: (token: Tokens.Link) => link(token.href, inner(token)),
  image: ({ href, text }: Tokens.Image) => link(href, text || href),
}

const nodes = (tokens: readonly Token[]): ReactNode =>
  tokens.map((token, index) => {
    const draw = drawings[token.type] as ((token: Token) => ReactNode) | undefined
    // biome-ignore lint/suspicious/noArrayIndexKey: text only grows at its end, so a place is what a piece is known by
    return <Fragment key={index}>{draw ? draw(token) : token.raw}</Fragment>
  })

const letters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** The few letters that a writer of HTML has to spell out. */
const plain = (text: string) => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => letters[name]!)

function CodeBlock({ text, language }: { readonly text: string; readonly language: string | undefined }) {
  return (
    <figure className="code">
      <figcaption>
        <span>{language || 'text'}</span>
        <CopyButton text={text} label="Copy this code" />
      </figcaption>
      <pre>
        <code>{text}</code>
      </pre>
    </figure>
  )
}

function Table({ token: { header, rows } }: { readonly token: Tokens.Table }) {
  return (
    <div className="table">
      <table>
        <thead>
          <tr>
            {header.map((cell) => (
              <th key={header.indexOf(cell)}>{inner(cell)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rows.indexOf(row)}>
              {row.map((cell) => (
                <td key={row.indexOf(cell)}>{inner(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Text with GitHub's marks. A line's end is one, as people write to each other. */
export const Markdown = memo(({ text }: { readonly text: string }) => (
  <div className="prose">{nodes(lexer(text, { gfm: true, breaks: true }))}</div>
))
