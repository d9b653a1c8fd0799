// Copying a new token, and a sandbox in one click.
document.querySelector('[data-copy]')?.addEventListener('click', async (event) => {
  const button = event.currentTarget;
  await navigator.clipboard.writeText(document.querySelector('[data-secret]').textContent);
  button.textContent = 'Copied';
});

document.querySelector('[data-sandbox]')?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector('button');
  button.disabled = true;
  button.textContent = 'Making it';
  const answer = await fetch(form.action, { method: 'POST', headers: { 'X-CSRFToken': form.elements.csrfmiddlewaretoken.value } });
  if (answer.ok) { location.reload(); return; }
  const told = await answer.json().catch(() => ({}));
  form.after(Object.assign(document.createElement('p'), { className: 'trouble', textContent: told.message ?? told.detail ?? `the server answered ${answer.status}` }));
  button.disabled = false;
  button.textContent = 'Give me a sandbox';
});
