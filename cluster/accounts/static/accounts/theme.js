// The page's choice of theme, shared through localStorage: 'light', 'dark', or what the system says.
const root = document.documentElement;
const chosen = () => localStorage.getItem('theme') ?? '';

function show(theme) {
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  else delete root.dataset.theme;
}

show(chosen());
addEventListener('storage', (event) => { if (event.key === 'theme') show(chosen()); });
addEventListener('click', (event) => {
  if (!event.target.closest?.('[data-theme-toggle]')) return;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  localStorage.setItem('theme', dark ? 'light' : 'dark');
  show(chosen());
});
