/** Focus that went with what had it. */
import { inNextFrame } from '../../frames.js';
import { focusComposer } from './composer.js';

/** Once what goes now is gone: who is left nowhere writes on in the composer. */
export const catchFocus = () =>
  inNextFrame(() => {
    if (document.activeElement === document.body) focusComposer();
  });
