/**
 * What the settings view knows: which group is open, and, once it has been looked at, what the program says about itself.
 *
 * @typedef {import('../../page.js').App} App
 * @typedef {import('./groups.js').GroupName} GroupName
 * @typedef {import('../../types/bridge.js').About} About
 * @typedef {import('../../types/bridge.js').LicenseSummary} LicenseSummary
 * @typedef {import('../../types/bridge.js').ThirdPartyLicense} ThirdPartyLicense
 */
import { computed, effect, signal } from '@preact/signals-core';

export class SettingsSource {
  /** @param {App} app @param {import('@preact/signals-core').ReadonlySignal<boolean>} shown */
  constructor(app, shown) {
    this.app = app;
    /** @type {import('@preact/signals-core').Signal<GroupName>} */
    this.group = signal('general');
    /** @type {import('@preact/signals-core').Signal<About | null>} */
    this.about = signal(null);
    /** @type {import('@preact/signals-core').Signal<LicenseSummary[] | null>} */
    this.licenses = signal(null);
    /** @type {import('@preact/signals-core').Signal<ThirdPartyLicense | null>} */
    this.license = signal(null);
    this.checking = signal(false);
    this.report = computed(() => app.store.settings.value);
    /** How many changes wait for the next start. */
    this.waiting = computed(() => (this.report.value?.settings ?? []).filter((one) => one.running !== null).length);
    effect(() => {
      if (shown.value && app.store.link.value === 'open') void app.actions.settings.load();
    });
    effect(() => {
      if (shown.value && this.group.value === 'about' && app.store.link.value === 'open') void this.#loadAbout();
    });
  }

  async #loadAbout() {
    void this.app.actions.settings.knownUpdate();
    this.about.value = (await this.app.actions.settings.about()) ?? this.about.peek();
  }

  async checkUpdate() {
    this.checking.value = true;
    await this.app.actions.settings.checkUpdate();
    this.checking.value = false;
  }

  async showLicenses() {
    this.licenses.value = (await this.app.actions.settings.licenses()) ?? this.licenses.value;
  }

  /** @param {string} name */
  async showLicense(name) {
    this.license.value = (await this.app.actions.settings.license(name)) ?? null;
  }
}
