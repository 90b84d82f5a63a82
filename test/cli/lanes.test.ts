import { drawLane, LANE_WIDTH } from '../../cli/lanes';
import { NODE_STATES, type NodeState } from '../../workflows/contract';

test.each<[NodeState, boolean, string]>([
  ['waiting', false, '◉─○─○─○─○'],
  ['fetching', false, '●━◉─○─○─○'],
  ['launching', false, '●━●━◉─○─○'],
  ['running', true, '●━●━●━◉─○'],
  ['complete', true, '●━●━●━●━●'],
  ['refused', false, '●━✖─○─○─○'],
  ['failed', false, '●━●━✖─○─○'],
  ['failed', true, '●━●━●━✖─○'],
  ['lost', true, '●━●━●━?─○'],
  ['stopping', true, '●━●━●━◼─○'],
  ['stopped', false, '●━●━◼─○─○'],
])('the lane of a node that is %s (it was up: %s)', (state, wasUp, lane) => {
  expect(drawLane({ state }, wasUp)).toBe(lane);
});

test('a node that has a container was up', () => {
  expect(drawLane({ state: 'failed', containerId: 'c' }, false)).toBe('●━●━●━✖─○');
});

test('every lane is as wide as every other', () => {
  for (const state of NODE_STATES)
    for (const wasUp of [true, false])
      expect(Array.from(drawLane({ state }, wasUp))).toHaveLength(LANE_WIDTH);
});
