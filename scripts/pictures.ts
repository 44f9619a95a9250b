/**
 * The pictures of the documentation are drawn by the code that they are about, so that they cannot be wrong. A page says
 * `<!-- picture: name -->` before a text block. `--write` fills the blocks; without it, the command fails and names the
 * first picture that is another one.
 *
 * Usage: node scripts/pictures.ts [--write]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Mappings from "./mappings.ts"
import * as Windows from "./windows.ts"

/** Who draws the pictures of which page. */
export const pages: Readonly<Record<string, () => ReadonlyMap<string, string>>> = {
  "docs/reference/mappings.md": Mappings.pictures,
  "docs/reference/partitions.md": Windows.pictures
}

/** The text of a page. */
export const read = (page: string): string => Fs.readFileSync(pathOf(page), "utf8")

/** The page with every picture as it is, and the names of those that were another one. */
export const redraw = (
  page: string,
  drawn: ReadonlyMap<string, string>
): { readonly page: string; readonly changed: ReadonlyArray<string> } => {
  const changed: Array<string> = []
  const unused = new Set(drawn.keys())
  const redrawn = page.replace(
    /<!-- picture: (.*?) -->\n\n```text\n([\s\S]*?)```/g,
    (block: string, name: string, old: string) => {
      const picture = drawn.get(name)
      unused.delete(name)
      if (picture === undefined || picture === old) {
        if (picture === undefined) changed.push(name)
        return block
      }
      changed.push(name)
      return `<!-- picture: ${name} -->\n\n\`\`\`text\n${picture}\`\`\``
    }
  )
  return { page: redrawn, changed: [...changed, ...unused] }
}

// --- internal ---

const pathOf = (page: string): string => Path.join(import.meta.dirname, "..", page)

if (import.meta.main) {
  for (const [file, pictures] of Object.entries(pages)) {
    const { changed, page } = redraw(read(file), pictures())
    if (process.argv.includes("--write")) {
      Fs.writeFileSync(pathOf(file), page)
    } else if (changed.length > 0) {
      console.error(`${file}: the picture "${changed[0]}" is not what the engine does. Run \`pnpm pictures\`.`)
      process.exitCode = 1
    }
  }
}
