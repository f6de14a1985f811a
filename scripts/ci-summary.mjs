// Adds up the test report for CI; a skipped test counts as a failure there, because CI has everything the tests need.
import { readFileSync } from 'node:fs'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const tests = report.testResults.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })))
const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed')
for (const { fullName, status } of skipped) console.log(`${status}, which CI forbids: ${fullName}`)
// A file that could not even be loaded has no tests to count.
const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
for (const { name, message } of broken) console.log(`could not run ${name}: ${message}`)
const failed = report.numFailedTests + skipped.length + broken.length
console.log(`${report.numPassedTests} passed, ${failed} failed`)
process.exitCode = failed === 0 && report.numPassedTests > 0 ? 0 : 1
