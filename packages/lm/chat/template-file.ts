import { readChatTemplate } from '../formats/companions.js'
import type { Tokenizer } from '../tokenizer/tokenizer.js'
import { ChatTemplate } from './chat-template.js'

/**
 * How the model of a folder writes conversations; null where it has no template.
 * @throws LmError FILE_CORRUPT
 */
export async function loadChatTemplate(folder: string, tokenizer: Tokenizer): Promise<ChatTemplate | null> {
  const source = await readChatTemplate(folder)
  return source === undefined ? null : new ChatTemplate(source, tokenizer)
}

/** The `tokenizer_config.json` of a model, with the template if it has one. */
export function tokenizerConfigFile(
  tokenizer: Tokenizer,
  template: ChatTemplate | null,
  context: number,
): { readonly 'tokenizer_config.json': string } {
  const nameOf = (id: number | undefined) => (id === undefined ? null : (tokenizer.idToToken(id) ?? null))
  const config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: nameOf(tokenizer.bosId),
    eos_token: nameOf(tokenizer.eosId),
    // Texts begin with it: without our own files beside, this alone says so.
    add_bos_token: tokenizer.bosId !== undefined,
    model_max_length: context,
    clean_up_tokenization_spaces: false,
    ...(template && { chat_template: template.source }),
  }
  return { 'tokenizer_config.json': `${JSON.stringify(config, null, 2)}\n` }
}
