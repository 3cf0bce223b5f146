// The second build: one script for a page that was taken away. It is put into an HTML file together with its answers.
import { mount } from 'svelte'
import App from './App.svelte'
import { saved } from './saved'
import './style.css'

if (saved && !location.hash) location.replace(saved.hash)
const target = document.getElementById('app')
if (target) mount(App, { target })
