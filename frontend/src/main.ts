import { mount } from 'svelte';
import App from './App.svelte';
import { start } from './route.svelte';
import './tokens.css';
import './ui/frame.css';

start();
mount(App, { target: document.getElementById('app')! });
