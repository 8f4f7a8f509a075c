// A destination whose actions do what no action should.
'use strict'
const { IntegrationError, MultiStatusResponse } = require('@segment/actions-core')

const held = []
const post = (request, payload) => request('https://tool.example/' + (payload.path ?? ''), { method: 'post', json: payload })

const behaviours = {
  fine: post,
  async loopAfter(request, payload) {
    await post(request, payload)
    for (;;);
  },
  loop() {
    for (;;);
  },
  grow() {
    for (;;) held.push(new Array(1e6).fill({ held: held.length }).map((each) => ({ ...each })))
  },
  buffers() {
    return new Promise(() => setInterval(() => held.push(Buffer.alloc(32 << 20, 1)), 5))
  },
  garbage() {
    Deno.stdout.writeSync(new TextEncoder().encode('this is no message\n'))
    return new Promise(() => {})
  },
  exit() {
    Deno.exit(7)
  },
  never() {
    return new Promise(() => {})
  },
  async reject(request, payload) {
    Promise.reject(new Error('nobody waits for this'))
    return post(request, payload)
  },
  async late(request, payload) {
    const answer = await post(request, payload)
    setTimeout(() => void post(request, { path: 'late' }).catch(() => {}), 50)
    return answer
  },
  print(request, payload) {
    console.log('printed', { a: 1n }, new Error('shown'))
    return post(request, payload)
  },
  async attempt(request, { what, trace }) {
    const attempts = {
      read: () => Deno.readTextFileSync('/etc/passwd'),
      readByNode: () => require('fs').readFileSync('/etc/passwd', 'utf8'),
      write: () => Deno.writeTextFileSync(trace, 'x'),
      connect: async () => (await Deno.connect({ hostname: '127.0.0.1', port: 9 })).close(),
      connectByNode: () =>
        new Promise((resolve, reject) => require('net').connect(9, '127.0.0.1').on('connect', resolve).on('error', reject)),
      listen: () => Deno.listen({ port: 0 }).close(),
      run: () => new Deno.Command('/usr/bin/touch', { args: [trace] }).outputSync(),
      runByNode: () => require('child_process').execFileSync('/usr/bin/touch', [trace]),
      ffi: () => Deno.dlopen('libc.so.6', {}),
      system: () => Deno.hostname(),
      worker: () => import('https://tool.example/x.js'),
      environment: () => JSON.stringify(process.env)
    }
    let said
    try {
      said = `it could: ${await attempts[what]()}`
    } catch (error) {
      said = `${error.name}: ${error.message}`
    }
    return post(request, { said })
  }
}

const action = (perform) => ({
  title: perform.name,
  description: '',
  fields: {},
  perform: (request, { payload }) => perform(request, payload),
  performBatch: async (request, { payload }) => {
    const poison = payload.find((each) => each.poison)
    await (poison ? perform(request, poison) : post(request, { count: payload.length }))
  }
})

const actions = Object.fromEntries(Object.entries(behaviours).map(([name, perform]) => [name, action(perform)]))
actions.perItem = {
  title: 'perItem',
  description: '',
  fields: {},
  perform() {
    throw new IntegrationError('only batches', 'NotImplemented', 501)
  },
  /** Each item by itself, with the status that the tool gives it. */
  async performBatch(request, { payload }) {
    const answers = new MultiStatusResponse()
    const response = await request('https://tool.example/', { method: 'post', json: payload })
    for (const [place, status] of response.data.entries()) {
      if (status < 400) answers.setSuccessResponseAtIndex(place, { status, sent: payload[place], body: {} })
      else if (status < 600) answers.setErrorResponseAtIndex(place, { status, errormessage: `said ${status}` })
    }
    return answers
  }
}

exports.default = {
  name: 'Faults',
  slug: 'faults',
  mode: 'cloud',
  authentication: {
    scheme: 'oauth2',
    fields: {},
    refreshAccessToken: async (request) => {
      const { data } = await request('https://tool.example/token', { method: 'post' })
      return { accessToken: data.access_token }
    }
  },
  extendRequest: ({ auth }) => ({ headers: { authorization: `Bearer ${auth?.accessToken}` } }),
  actions
}
