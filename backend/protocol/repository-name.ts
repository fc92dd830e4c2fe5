/** What a model on the Hugging Face hub is called. */

/** Whether a text can be the name of a repository: ORG/NAME. */
export function isRepositoryName(text: string): boolean {
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(text) && !text.includes('..') && text.length <= 200;
}
