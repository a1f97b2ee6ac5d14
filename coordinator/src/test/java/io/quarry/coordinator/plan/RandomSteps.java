package io.quarry.coordinator.plan;

import io.quarry.common.model.Limits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What happens next in a story: calls, writes, and workers that begin, go on, and crash. */
final class RandomSteps {
  private static final int WORKERS_AT_ONCE_MAX = 6;

  private final World world;
  private final Random random;
  private final RandomRequests requests;
  private int workers;

  RandomSteps(World world, Random random) {
    this.world = world;
    this.random = random;
    this.requests = new RandomRequests(random, Limits.SECTOR_BYTES);
  }

  /** One step, or all those of a fix that nothing disturbs. */
  List<Step> next() {
    Place place = world.places().get(random.nextInt(3) / 2);
    Place other = world.places().get(place == world.places().getFirst() ? 1 : 0);
    List<String> atWork = List.copyOf(world.workers().keySet());
    int choice = random.nextInt(21);
    if (choice == 20) {
      return requests.overElsewhere(place, random.nextInt(8) == 0 ? place : other);
    }
    if (choice < 9) {
      return List.of(new Step.Ask(place.key, requests.next(place, other)));
    }
    if (choice < 11) {
      return random.nextInt(3) == 0 ? write(place) : use(place);
    }
    if (choice < 15) {
      return whole(place);
    }
    if (atWork.isEmpty() || (choice < 17 && atWork.size() < WORKERS_AT_ONCE_MAX)) {
      return begin(place);
    }
    if (choice < 19) {
      return List.of(new Step.GoOn(oneOf(atWork)));
    }
    return random.nextInt(3) == 0
        ? List.of(new Step.Pass(Duration.ofMinutes(45)))
        : List.of(new Step.End(oneOf(atWork)));
  }

  private List<Step> write(Place place) {
    List<String> opens = place.state().opens().keySet().stream().sorted().toList();
    return opens.isEmpty() ? List.of() : List.of(new Step.Write(place.key, oneOf(opens)));
  }

  /** A VM starts, writes, and stops, unless it goes on. */
  private List<Step> use(Place place) {
    OpenImage open = requests.use(place.state());
    if (open == null) {
      return List.of();
    }
    List<Step> steps =
        List.of(
            new Step.Ask(place.key, open),
            new Step.Write(place.key, open.openId()),
            new Step.Ask(place.key, new CloseImage(open.imageId(), open.openId())));
    return random.nextInt(4) == 0 ? steps.subList(0, 2) : steps;
  }

  private List<Step> begin(Place place) {
    List<String> fixes = place.state().fixes().keySet().stream().sorted().toList();
    return fixes.isEmpty()
        ? List.of()
        : List.of(new Step.Begin(place.key, oneOf(fixes), "w" + workers++));
  }

  private List<Step> whole(Place place) {
    List<Step> steps = new ArrayList<>(begin(place));
    for (int stage = 0; !steps.isEmpty() && stage < Work.STAGES_MAX; stage++) {
      steps.add(new Step.GoOn("w" + (workers - 1)));
    }
    return steps;
  }

  private <T> T oneOf(List<T> choice) {
    return choice.get(random.nextInt(choice.size()));
  }
}
