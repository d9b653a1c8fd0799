// Copying a new token.
document.querySelector('[data-copy]')?.addEventListener('click', async (event) => {
  const button = event.currentTarget;
  await navigator.clipboard.writeText(document.querySelector('[data-secret]').textContent);
  button.textContent = 'Copied';
});
