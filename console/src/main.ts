import { mount } from 'svelte';
import './style/app.css';
import './style/alarms.css';
import App from './App.svelte';
import { useOwnWords } from './shell/own_words';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
useOwnWords(document);
mount(App, { target });
