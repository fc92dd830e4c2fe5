// Dies before it has said anything.
process.stderr.write('cannot open shared object file\n');
process.exit(3);
