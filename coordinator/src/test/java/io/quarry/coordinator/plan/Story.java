package io.quarry.coordinator.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Steps one after the other, each with its number.
 *
 * @param seed that it was made from
 */
record Story(long seed, List<Numbered> steps) {
  static final int STEPS = 200;

  /** The number stays with the step when others are left out: ids follow from it. */
  record Numbered(long number, Step step) {}

  /** Each step is chosen by what the ones before have led to. */
  static Story random(long seed) {
    World world = new World();
    RandomSteps random = new RandomSteps(world, new Random(seed));
    List<Numbered> steps = new ArrayList<>();
    try {
      while (steps.size() < STEPS) {
        for (Step step : random.next()) {
          steps.add(new Numbered(steps.size(), step));
          world.take(steps.size() - 1L, step);
        }
      }
    } catch (RuntimeException | AssertionError e) {
      // Whoever plays it will see it, too.
      return new Story(seed, List.copyOf(steps));
    }
    return new Story(seed, List.copyOf(steps));
  }

  /** Plays it to its end, where everything must be at its best. */
  void play(World world) {
    steps.forEach(one -> world.take(one.number(), one.step()));
    world.comeToRest(STEPS * 2L);
  }

  /** The same without some of its steps. */
  Story without(int from, int to) {
    List<Numbered> fewer = new ArrayList<>(steps.subList(0, from));
    fewer.addAll(steps.subList(to, steps.size()));
    return new Story(seed, List.copyOf(fewer));
  }

  /** As scripts, ready to be made golden ones. */
  @Override
  public String toString() {
    return StoryScripts.of(this);
  }
}
