#!/usr/bin/env node
// The command line `sharecord`: what the commands are called and take. Each command has a file of its own.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { SharecordError } from '../index.ts';
import { codegenModule, describeModule } from './definitions.ts';
import { doctor, doctorPeer } from './doctor.ts';
import { dump } from './dump.ts';
import { list } from './list.ts';
import { watch } from './watch.ts';

const USAGE_ERROR = 2;

/** Reads a count or an index from the command line. */
function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('expected a whole number.');
}

const json = (): Option =>
  new Option('--json', 'one JSON value a line: bigints as text, bytes as hexadecimal, dates as ISO 8601');
const index = (): Option => new Option('--index <n>', 'this record of a store only').argParser(wholeNumber);
const layout = (): Option => new Option('--layout <name>', 'one of several layouts of the module');
const abi = (): Option =>
  new Option('--abi <abi>', 'lay out for this ABI').choices(['win64', 'win32', 'linux64', 'linux32']);

const program = new Command('sharecord')
  .description('Shows the typed records that processes share, and the layouts they have.')
  .exitOverride()
  .showHelpAfterError();

program
  .command('list')
  .description('name the managed segments that you may read')
  .addOption(json())
  .action(list);
program
  .command('dump')
  .description('print the records of a store or the entries of a map')
  .argument('<name>', 'name of the segment')
  .addOption(index())
  .option('--all', 'records that were never written too')
  .addOption(json())
  .action(dump);
program
  .command('watch')
  .description('print each change of a store or map until interrupted')
  .argument('<name>', 'name of the segment')
  .addOption(index())
  .addOption(new Option('--count <n>', 'end after so many changes').argParser(wholeNumber))
  .addOption(json())
  .action(watch);
program
  .command('describe')
  .description('print the offset tables of the layouts that a module exports')
  .argument('<module>', 'path of a module')
  .addOption(layout())
  .addOption(abi())
  .action(describeModule);
program
  .command('codegen')
  .description('print source text for a peer of a layout that a module exports')
  .argument('<module>', 'path of a module')
  .addOption(
    new Option('--lang <language>', 'language of the peer')
      .choices(['c', 'pascal', 'python', 'csharp', 'rust'])
      .makeOptionMandatory(),
  )
  .addOption(layout())
  .addOption(abi())
  .action(codegenModule);
program
  .command('doctor')
  .description('try on this machine what the library needs, and say what is missing')
  .action(doctor);
program.command('doctor-peer', { hidden: true }).argument('<name>').argument('<role>').action(doctorPeer);

// Whoever reads our output may have seen enough (`sharecord dump quotes | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong in one line; gives the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_ERROR; // it has spoken already
  const text = error instanceof SharecordError ? `${error.code}: ${error.message}` : (error as Error).message;
  process.stderr.write(`sharecord: ${text}\n`);
  return 1;
}
