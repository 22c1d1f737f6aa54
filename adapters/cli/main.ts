#!/usr/bin/env node
import process from 'node:process';
import { runCli } from './cli.ts';
import { createTerminal } from './terminal.ts';

process.exitCode = await runCli(process.argv.slice(2), createTerminal());
