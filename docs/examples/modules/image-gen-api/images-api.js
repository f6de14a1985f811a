// OpenAI's images API, as its servers and many local ones speak it: POST /images/generations.

/** @throws Error that names the server's answer and what to do */
export async function requestImage({ baseUrl, apiKey, model, prompt, size, signal }) {
  const response = await fetch(`${baseUrl.replace(/\/+$/, '')}/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
    // Models that came after DALL-E always answer in base64, and refuse to be asked for it.
    body: JSON.stringify({ model, prompt, n: 1, size, ...(model.startsWith('dall-e') && { response_format: 'b64_json' }) }),
    signal,
  }).catch((cause) => {
    if (signal.aborted) throw signal.reason
    throw new Error(
      `${baseUrl} cannot be reached: ${cause.cause?.message ?? cause.message}. Check { baseUrl } and the network.`,
      { cause },
    )
  })
  const text = await response.text()
  if (response.status === 401) throw new Error(`${baseUrl} refuses the key (401). Pass a valid { apiKey }.`)
  if (!response.ok) throw new Error(`${baseUrl} answered ${response.status}: ${text.slice(0, 300)}`)
  const encoded = parsed(text)?.data?.[0]?.b64_json
  if (typeof encoded !== 'string') throw new Error(`${baseUrl} answered without a picture: ${text.slice(0, 300)}`)
  return { bytes: Buffer.from(encoded, 'base64'), mimeType: 'image/png' }
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
