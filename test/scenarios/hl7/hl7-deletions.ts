import assert from 'node:assert/strict'
import { transaction } from '../../../src/database/connection.ts'
import { pruneHorizon } from '../../../src/jobs/job.ts'
import { deletionsPerBundleMax } from '../../../src/protocol/limits.ts'
import { pruneVersions } from '../../../src/records/prune.ts'
import { exported } from '../exported.ts'
import { entry, kickOffRequest, patientEntry } from '../kick-off.ts'
import { issuesOf } from '../outcome.ts'
import { condition, observation, patient, provenance, put, referenceTo, remove } from '../resources.ts'
import type { Scenario } from '../scenario.ts'

const since = (value: string) => entry('_since', 'valueInstant', value)

/** T-185, D24: Bundles of what was deleted after `_since`. */
export const deletionScenarios: readonly Scenario[] = [
  {
    t: [185],
    rules: ['D24', '§11.5'],
    does: `${deletionsPerBundleMax} deletions, and one more`,
    outcome: 'one Bundle, then two',
    run: async (suite) => {
      const ids = Array.from({ length: deletionsPerBundleMax + 1 }, (_, index) => `many-${index}`)
      await put(suite, [patient('many'), ...ids.map((id) => condition(id, 'many'))], 'commons')
      const patients = [patientEntry('Patient/many')]
      const { manifest } = await exported(suite, await suite.newCaller('commons'), { patients })
      const parameters = [since(manifest.transactionTime)]
      for (const bundles of [1, 2]) {
        for (const id of ids.splice(0, bundles === 1 ? deletionsPerBundleMax : 1)) {
          await remove(suite, `Condition/${id}`, 'commons')
        }
        const found = await exported(suite, await suite.newCaller('commons'), { patients, parameters })
        assert.equal(found.manifest.deleted?.[0]?.count, bundles)
        assert.equal(new Set(found.deleted).size, deletionsPerBundleMax + bundles - 1)
        assert.equal(found.deleted.length, deletionsPerBundleMax + bundles - 1)
      }
    },
  },
  {
    t: [185],
    rules: ['D24', '§11.5'],
    does: 'records that were deleted after _since, before it, of others, of other types, and come again',
    outcome: 'those after it, of the request, in a Bundle and not in the output',
    run: async (suite) => {
      const records = ['early', 'gone', 'again', 'stays'].map((name) => condition(`del-${name}`, 'del1'))
      await put(
        suite,
        [
          patient('del1'),
          patient('del2'),
          ...records,
          observation('del-o', 'del1'),
          condition('del-theirs', 'del2'),
          provenance('del-v', ['Condition/del-gone', 'Condition/del-theirs']),
        ],
        'commons',
      )
      const export1 = async (parameters: readonly object[], patients = [patientEntry('Patient/del1')]) =>
        exported(suite, await suite.newCaller('commons'), { patients, parameters })
      await remove(suite, 'Condition/del-early', 'commons')
      const first = await export1([])
      assert.equal(first.manifest.deleted, undefined, 'without _since there is no such list')
      const time = first.manifest.transactionTime
      const nothing = await export1([since(time)])
      assert.deepEqual([nothing.manifest.deleted, nothing.manifest.output], [[], []])

      const others = ['Observation/del-o', 'Condition/del-theirs', 'Provenance/del-v']
      for (const key of ['Condition/del-gone', 'Condition/del-again', ...others]) await remove(suite, key, 'commons')
      await put(suite, [condition('del-again', 'del1')], 'commons')
      while ((await pruneVersions(suite.server.pool, await transaction(suite.server.pool, pruneHorizon))) > 0);

      const all = await export1([since(time)])
      assert.deepEqual(all.deleted, ['Condition/del-gone', 'Observation/del-o', 'Provenance/del-v'])
      assert.deepEqual(all.ids('Condition'), ['del-again'])
      const conditions = await export1([since(time), entry('_type', 'valueString', 'Condition')])
      assert.deepEqual(conditions.deleted, ['Condition/del-gone'])
      const until = await export1([since(time), entry('_until', 'valueInstant', time)])
      assert.deepEqual(until.deleted, [])
      const both = await export1(
        [since(time)],
        ['del1', 'del2'].map((id) => patientEntry(`Patient/${id}`)),
      )
      assert.deepEqual(both.deleted.toSorted(), [...others, 'Condition/del-gone'].toSorted(), 'each once')
      const organized = await export1([since(time), entry('organizeOutputBy', 'valueString', 'Patient')])
      assert.deepEqual(organized.deleted, all.deleted)
      assert.equal(organized.manifest.deleted?.[0]?.type, undefined)
    },
  },
  {
    t: [185],
    rules: ['D24', '§10'],
    does: 'deletions of a type of which granular scopes let read some, and of one that they let read whole',
    outcome: 'only of the whole one; a warning in the 202 and in the `error` file names the other',
    run: async (suite) => {
      const records = [patient('dg'), observation('dg-o', 'dg'), condition('dg-c', 'dg')]
      await put(suite, records, 'commons')
      const patients = [patientEntry('Patient/dg')]
      const { manifest } = await exported(suite, await suite.newCaller('commons'), { patients })
      for (const key of ['Observation/dg-o', 'Condition/dg-c']) await remove(suite, key, 'commons')
      const parameters = [since(manifest.transactionTime)]
      const scope = 'system/Condition.read system/Observation.rs?status=final'
      const found = await exported(suite, await suite.newCaller('commons', scope), { patients, parameters })
      assert.deepEqual(found.deleted, ['Condition/dg-c'])
      assert.deepEqual(
        found.errors.slice(0, -1).map(({ severity, code, diagnostics }) => [severity, code, diagnostics]),
        [['warning', 'suppressed', 'Observation']],
      )
      const full = await exported(suite, await suite.newCaller('commons'), { patients, parameters })
      assert.deepEqual(full.deleted, ['Condition/dg-c', 'Observation/dg-o'])
    },
  },
  {
    t: [185],
    rules: ['D24', '§10'],
    does: 'the file of deletions with a later token that reads only some of the type, as much as the filter let through',
    outcome: '403 forbidden; its output is given',
    run: async (suite) => {
      await put(suite, [patient('dn'), observation('dn-o', 'dn'), observation('dn-p', 'dn')], 'commons')
      const patients = [patientEntry('Patient/dn')]
      const { manifest } = await exported(suite, await suite.newCaller('commons'), { patients })
      await remove(suite, 'Observation/dn-o', 'commons')
      await put(suite, [{ ...observation('dn-p', 'dn'), note: [{ text: 'changed' }] }], 'commons')
      const { transactionTime } = manifest
      const parameters = [
        since(transactionTime),
        entry('_type', 'valueString', 'Observation'),
        entry('_typeFilter', 'valueString', 'Observation?status=final'),
      ]
      const whole = await suite.newCaller('commons', 'system/Observation.read')
      const found = await exported(suite, whole, { patients, parameters })
      assert.deepEqual([found.deleted, found.ids('Observation')], [['Observation/dn-o'], ['dn-p']])
      const some = await suite.withScope(whole, 'system/Observation.rs?status=final')
      assert.equal((await suite.ask(some, 'GET', found.manifest.output[0]!.url)).status, 200)
      const told = await suite.ask(some, 'GET', found.manifest.deleted![0]!.url)
      assert.equal(told.status, 403)
      assert.match(String(told.headers['www-authenticate']), /insufficient_scope/)
    },
  },
  {
    t: [185],
    rules: ['D24', 'O-9'],
    does: 'a patient who was deleted after _since',
    outcome: 'is known still, to be told of; without such a _since they are not',
    run: async (suite) => {
      const group = { resourceType: 'Group', id: 'dp-g', member: [{ entity: referenceTo('Patient/dp') }] }
      await put(suite, [patient('dp'), group], 'commons')
      const patients = [patientEntry('Patient/dp')]
      const { manifest } = await exported(suite, await suite.newCaller('commons'), { patients })
      await remove(suite, 'Patient/dp', 'commons')
      const parameters = [since(manifest.transactionTime)]
      const listed = await exported(suite, await suite.newCaller('commons'), { patients, parameters })
      assert.deepEqual([listed.deleted, listed.types], [['Patient/dp'], []])
      const path = '/Group/dp-g/$export'
      const inGroup = await exported(suite, await suite.newCaller('commons'), { path, patients: [], parameters })
      assert.deepEqual([inGroup.deleted, inGroup.errors], [['Patient/dp'], []])

      const some = await suite.newCaller('commons', 'system/Observation.rs?status=final')
      const untold = await suite.send(await kickOffRequest(suite, some, { patients, parameters }))
      assert.equal(untold.status, 400, 'whom it would not be told of, it does not know')
      assert.deepEqual(issuesOf(untold.body.toString('utf8'))[0]?.code, 'not-found')

      const later = await exported(suite, await suite.newCaller('commons'), {
        patients: [patientEntry('Patient/minimal')],
      })
      const afterwards = { patients, parameters: [since(later.manifest.transactionTime)] }
      const headers = { prefer: 'respond-async, handling=lenient' }
      const lenient = await exported(suite, await suite.newCaller('commons'), { ...afterwards, headers })
      assert.deepEqual([lenient.deleted, lenient.errors.map(({ diagnostics }) => diagnostics)], [[], ['Patient/dp']])
    },
  },
]
