import { createHash } from "node:crypto"

/** 128-bit hash of a text, in hex: identity of content, not protection against forgery. */
export const md5 = (text: string): string => createHash("md5").update(text, "utf8").digest("hex")
