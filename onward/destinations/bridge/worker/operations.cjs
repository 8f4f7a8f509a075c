// What a destination can do besides taking events: each a function of {directory, config, …}.
'use strict'
const { core, destination } = require('./packages.cjs')
const { logger } = require('./perform.cjs')

/** Settings in the shape in which `Destination` wants them, credentials among them. */
function withCredentials({ settings, auth, client }) {
  if (!auth) return { ...settings }
  return {
    ...settings,
    oauth: {
      access_token: auth.accessToken,
      refresh_token: auth.refreshToken,
      refresh_token_url: auth.refreshTokenUrl,
      clientId: client?.clientId,
      clientSecret: client?.clientSecret
    }
  }
}

const operations = {
  async test({ directory, config }) {
    await destination(directory).testAuthentication(withCredentials(config))
  },

  async refresh({ directory, config }) {
    const { refreshToken, refreshTokenUrl, accessToken } = config.auth
    const tokens = await destination(directory).refreshAccessToken(config.settings, {
      accessToken,
      refreshToken,
      refreshTokenUrl,
      ...config.client
    })
    return tokens && { accessToken: tokens.accessToken, refreshToken: tokens.refreshToken }
  },

  /** `field` is a path such as `item.__keys__`, or the name of a hook, a dot, and a field of the hook's. */
  async choices({ directory, action, field, payload, page, config }) {
    const { definition } = destination(directory).actions[action]
    const [hook, input] = field.split('.')
    const ask = definition.hooks?.[hook]?.inputFields?.[input]?.dynamic
    const data = { settings: { ...config.settings }, auth: config.auth, payload, page, hookInputs: payload }
    return destination(directory).executeDynamicField(action, field, data, typeof ask === 'function' ? ask : undefined)
  },

  async hook({ directory, action, hook, payload, inputs, config }) {
    return destination(directory).actions[action].executeHook(hook, {
      settings: { ...config.settings },
      auth: config.auth,
      payload,
      hookInputs: inputs,
      features: {},
      logger
    })
  },

  async createAudience({ directory, name, audienceSettings, config }) {
    const input = { settings: withCredentials(config), audienceName: name, audienceSettings, personas: {} }
    return destination(directory).createAudience(input)
  },

  async getAudience({ directory, externalId, audienceSettings, config }) {
    return destination(directory).getAudience({ settings: withCredentials(config), externalId, audienceSettings })
  },

  async onDelete({ directory, userId, anonymousId, config }) {
    const found = destination(directory)
    if (!found.onDelete) throw new core.IntegrationError('it can not delete people', 'NotImplemented', 501)
    await found.onDelete({ type: 'delete', userId, anonymousId }, withCredentials(config))
  }
}

module.exports = { operations }
