/** site.yaml while a worker runs: an edit counts at once, and one that is not valid does not: the rules of before stay. */
import type { Logger } from 'pino';
import type { SiteRules } from '../activities/edge/site-rules';
import { siteRules, textOf, type SiteFile } from './policy-files';
import { SettingsError } from './settings';

export class SiteRulesFile {
  /** The text that was looked at last, or why there was none. */
  private seen: string;
  /** Said once, until it changes. */
  private complaint: string | undefined;

  private constructor(
    private readonly path: string,
    private readonly log: Pick<Logger, 'info' | 'error'>,
    private rules: SiteFile & SiteRules,
    text: string,
  ) {
    this.seen = text;
  }

  /** @throws SettingsError: a worker does not begin without rules */
  static async open(path: string, log: Pick<Logger, 'info' | 'error'>): Promise<SiteRulesFile> {
    const text = await textOf(path);
    return new SiteRulesFile(path, log, siteRules(path, text), text);
  }

  /** The rules that count now: those of the file as it is, or as it last was valid. */
  async current(): Promise<SiteFile & SiteRules> {
    try {
      const text = await textOf(this.path);
      if (text !== this.seen || this.complaint !== undefined) this.take(text);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      this.complain(error.message);
    }
    return this.rules;
  }

  private take(text: string): void {
    const rules = siteRules(this.path, text);
    if (rules.site !== this.rules.site) {
      throw new SettingsError(
        `${this.path}: /site is ${rules.site} now, and this worker is that of ${this.rules.site}: start it anew`,
      );
    }
    this.rules = rules;
    this.seen = text;
    this.complaint = undefined;
    this.log.info({ file: this.path }, 'site.yaml was changed: its rules count from now on');
  }

  private complain(complaint: string): void {
    if (complaint !== this.complaint)
      this.log.error({ file: this.path, reason: complaint }, 'site.yaml is not valid: its old rules stay');
    this.complaint = complaint;
  }
}
