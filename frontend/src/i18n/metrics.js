/** The words of the view Metrics. */
import { plural } from './plural.js';

export const metrics = {
  title: 'Metrics',
  charts: 'Charts. The left and right arrows move through time.',
  range: 'Range',
  ranges: { '5m': '5 min', '1h': '1 h', '24h': '24 h' },
  eachCore: 'Each core',
  answering: 'Answering',
  saveTable: 'Save as CSV',
  savePicture: 'Save as picture',
  /** @param {string} range */
  pictureName: (range) => `llamero-metrics-${range}.png`,
  asking: 'Reading what was measured',
  young: {
    '5m': 'Measuring has just begun. The first lines appear in a few seconds.',
    '1h': 'Measuring has just begun. The hour fills with a point every 10 seconds.',
    '24h': 'Measuring has just begun. The day fills with a point every minute, and is kept when Llamero is closed.',
  },
  computer: 'This computer',
  processor: 'Processor',
  load: 'Load',
  /** @param {number} number */
  core: (number) => `Core ${number + 1}`,
  /** @param {number} number */
  cores: (number) => plural(number, 'core', 'cores'),
  memory: 'Memory',
  /** @param {number} place */
  gpu: (place) => `GPU ${place}`,
  /** @param {string} name @param {number} place */
  numbered: (name, place) => `GPU ${place}: ${name}`,
  noGpu: 'No GPU was found. Models run on the processor.',
  gpuGone: 'This GPU does not answer any more.',
  noSensor: { load: 'This GPU does not tell its load.', memory: 'This GPU does not tell its memory.', temperature: 'No temperature sensor.', power: 'No power sensor.' },
  temperature: 'Temperature',
  power: 'Power',
  speed: 'Speed',
  generation: 'Generation',
  prompt: 'Reading the prompt',
  /** @param {string} alias */
  promptOf: (alias) => `${alias}, prompt`,
  noServers: 'How fast models read and write is drawn here once one runs. Ask something in the chat, or from another program.',
  requests: 'Requests',
  running: 'Running',
  waiting: 'Waiting',
  firstToken: 'First token after',
  /** @param {string} alias */
  firstTokenOf: (alias) => `${alias}, first token after`,
  ofOneCore: 'CPU, of one core',
  /** @param {string} time */
  upFor: (time) => `up for ${time}`,
  context: 'Context in use',
  slots: 'Slots in use',
  serverGone: 'This model is not loaded any more.',
};
