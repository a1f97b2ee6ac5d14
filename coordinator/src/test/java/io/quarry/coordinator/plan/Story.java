package io.quarry.coordinator.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Steps one after the other, each with its number.
 *
 * @param seed that the steps come from
 */
record Story(long seed, List<Numbered> steps) {
  static final int STEPS = 200;

  /** A step keeps its number when others are left out: ids follow from the number. */
  record Numbered(long number, Step step) {}

  /** Chooses each step by the outcome of the steps before. */
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
      // A replay of these steps fails in the same way.
      return new Story(seed, List.copyOf(steps));
    }
    return new Story(seed, List.copyOf(steps));
  }

  /** Plays the steps and the ending, where all images must be at their best. */
  void play(World world) {
    steps.forEach(one -> world.take(one.number(), one.step()));
    world.comeToRest(STEPS * 2L);
  }

  /** The same story without some of its steps. */
  Story without(int from, int to) {
    List<Numbered> fewer = new ArrayList<>(steps.subList(0, from));
    fewer.addAll(steps.subList(to, steps.size()));
    return new Story(seed, List.copyOf(fewer));
  }

  /** The story as scripts, ready to become golden ones. */
  @Override
  public String toString() {
    return StoryScripts.of(this);
  }
}
