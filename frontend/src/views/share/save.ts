/** Hand the reader a file. */
export function save(name: string, parts: BlobPart[], type: string): number {
  const blob = new Blob(parts, { type });
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download has the file in hand once the click is over.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  return blob.size;
}
