import { chinese } from "./messages-chinese.ts";
import { english } from "./messages-english.ts";
import type { Messages } from "./messages.ts";

/** Sentences by language (`"en"`, `"zh"`, `"pt-BR"`), all or some; what is left out is said in the built-in words. */
export type MessagesByLanguage = Readonly<Record<string, Partial<Messages>>>;

/** The languages in which commands answer: Chinese, English for everybody else, and what the caller adds or replaces. */
export class Languages {
  readonly #english: Messages;
  readonly #byTag: Map<string, Messages>;

  /** @param own Sentences of the caller's; those of `"zh"` also change `"zh-CN"`, and those of `"en"` every unknown language. */
  constructor(own: MessagesByLanguage = {}) {
    this.#english = { ...english, ...own["en"] };
    this.#byTag = new Map([
      ["en", this.#english],
      ["zh", chinese],
    ]);
    // Short tags first, so that "pt-BR" builds on "pt".
    const tags = Object.keys(own).sort((a, b) => a.length - b.length);
    for (const tag of tags) this.#byTag.set(tag.toLowerCase(), { ...this.of(tag), ...own[tag] });
  }

  /** The sentences for a locale such as `"zh-CN"`. */
  of(locale: string | undefined): Messages {
    if (typeof locale !== "string") return this.#english;
    const tag = locale.toLowerCase().replaceAll("_", "-");
    return this.#byTag.get(tag) ?? this.#byTag.get(tag.split("-", 1)[0] ?? "") ?? this.#english;
  }
}
