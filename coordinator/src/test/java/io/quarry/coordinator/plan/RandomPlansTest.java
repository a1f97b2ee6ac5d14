package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import net.jqwik.api.AfterFailureMode;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomGenerator;
import net.jqwik.api.Shrinkable;
import net.jqwik.api.ShrinkingDistance;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;

/**
 * Requests come in any order, and workers crash at any point. The state stays sound, each reader
 * sees the expected content, and the fixes bring all images to their best.
 *
 * <p>Stories have the seeds 1, 2, …, or from {@code -Dquarry.seed} on; {@code -Dquarry.stories}
 * sets their number. A story that fails is shrunk and printed as scripts, see {@link Script}.
 */
class RandomPlansTest {
  private static final long FIRST_SEED = Long.getLong("quarry.seed", 1);

  /** After this many stories each kind of request must have succeeded once. */
  private static final int MANY = 200;

  private static final Set<String> ACCEPTED = new TreeSet<>();
  private static final AtomicLong STORIES = new AtomicLong();

  @Property(
      shrinking = ShrinkingMode.BOUNDED,
      edgeCases = EdgeCasesMode.NONE,
      afterFailure = AfterFailureMode.RANDOM_SEED)
  void stateStaysSoundAndFixesBringItToItsBest(@ForAll("stories") Story story) {
    World world = new World();
    story.play(world);
    STORIES.incrementAndGet();
    ACCEPTED.addAll(world.accepted().keySet());
  }

  @AfterContainer
  static void eachKindOfRequestSucceedsSometimes() {
    if (STORIES.get() >= MANY) {
      assertThat(ACCEPTED)
          .containsExactlyInAnyOrderElementsOf(
              Stream.of(Request.class.getPermittedSubclasses()).map(Operations::nameOf).toList());
    }
  }

  @Provide
  Arbitrary<Story> stories() {
    AtomicLong seed = new AtomicLong(FIRST_SEED);
    RandomGenerator<Story> stories = ignored -> new Shorter(Story.random(seed.getAndIncrement()));
    return Arbitraries.fromGenerator(stories);
  }

  /** Leaves out steps: many at once, then fewer and fewer. */
  private record Shorter(Story value) implements Shrinkable<Story> {
    @Override
    public Stream<Shrinkable<Story>> shrink() {
      int size = value.steps().size();
      return Stream.iterate(size / 2, chunk -> chunk > 0, chunk -> chunk / 2)
          .flatMap(chunk ->
              Stream.iterate(size, end -> end > 0, end -> end - chunk)
                  .map(end -> new Shorter(value.without(Math.max(0, end - chunk), end))));
    }

    @Override
    public ShrinkingDistance distance() {
      return ShrinkingDistance.of(value.steps().size());
    }
  }
}
