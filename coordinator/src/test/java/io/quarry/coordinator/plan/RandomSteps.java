package io.quarry.coordinator.plan;

import io.quarry.common.model.Limits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/** The next steps in a story: calls, writes, and workers that begin, go on, and crash. */
final class RandomSteps {
  private static final int WORKERS_AT_ONCE_MAX = 6;

  private final World world;
  private final Random random;
  private final RandomRequests requests;
  private final LikelyRequests likely;
  private int workers;

  RandomSteps(World world, Random random) {
    this.world = world;
    this.random = random;
    this.requests = new RandomRequests(random, Limits.SECTOR_BYTES);
    this.likely = new LikelyRequests(random, Limits.SECTOR_BYTES);
  }

  /** One step, or all those of a fix that nothing disturbs. */
  List<Step> next() {
    Place place = world.places().get(random.nextInt(3) / 2);
    Place other = world.places().get(place == world.places().getFirst() ? 1 : 0);
    List<String> atWork = List.copyOf(world.workers().keySet());
    int choice = random.nextInt(23);
    if (choice > 20) {
      boolean work = random.nextInt(4) == 0;
      return ask(place, work ? requests.work(place.state()) : requests.extents(place.state()));
    }
    if (choice == 20) {
      return requests.overElsewhere(place, random.nextInt(8) == 0 ? place : other);
    }
    if (choice < 4) {
      return ask(place, requests.next(place, other));
    }
    if (choice < 7) {
      return likely.next(place, other).stream()
          .flatMap(to -> ask((Place) to.repository(), to.request()).stream())
          .toList();
    }
    if (choice < 10) {
      return random.nextInt(3) == 0 ? write(place) : use(place);
    }
    if (choice < 13) {
      return whole(place);
    }
    if (atWork.isEmpty() || (choice < 15 && atWork.size() < WORKERS_AT_ONCE_MAX)) {
      return begin(place);
    }
    if (choice < 19) {
      return List.of(new Step.GoOn(oneOf(atWork)));
    }
    return random.nextInt(3) == 0
        ? List.of(new Step.Pass(Duration.ofMinutes(45)))
        : List.of(new Step.End(oneOf(atWork)));
  }

  /** The host that takes a call mostly makes the volume at once. */
  private List<Step> ask(Place place, Request request) {
    String volume =
        switch (request) {
          case CreateVirtualDisk create -> create.volumeId();
          case CreateSnapshot create -> create.overlayVolumeId();
          case ResizeImage resize -> resize.overlayVolumeId();
          case PinForCopy pin -> pin.overlayVolumeId();
          default -> "";
        };
    List<Step> steps = new ArrayList<>(List.of(new Step.Ask(place.key, request)));
    if (!volume.isEmpty() && random.nextInt(4) > 0) {
      steps.addAll(all(place, FixState.mendId(volume)));
    }
    return steps;
  }

  private List<Step> write(Place place) {
    List<String> opens = place.state().opens().keySet().stream().sorted().toList();
    return opens.isEmpty() ? List.of() : List.of(new Step.Write(place.key, oneOf(opens)));
  }

  /** A VM starts, writes, and stops, unless it goes on. */
  private List<Step> use(Place place) {
    OpenImage open = likely.use(place.state());
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
    String fix = fix(place);
    return fix.isEmpty() ? List.of() : List.of(new Step.Begin(place.key, fix, "w" + workers++));
  }

  private List<Step> whole(Place place) {
    String fix = fix(place);
    return fix.isEmpty() ? List.of() : all(place, fix);
  }

  /** Mostly a fix that moves data. */
  private String fix(Place place) {
    List<FixState> fixes =
        place.state().fixes().values().stream()
            .filter(FixState::runnable)
            .sorted(Comparator.comparing(FixState::id))
            .toList();
    List<FixState> heavy = fixes.stream().filter(FixState::heavy).toList();
    List<FixState> choice = heavy.isEmpty() || random.nextInt(3) == 0 ? fixes : heavy;
    return choice.isEmpty() ? "" : oneOf(choice).id();
  }

  private List<Step> all(Place place, String fix) {
    String worker = "w" + workers++;
    List<Step> steps = new ArrayList<>(List.of(new Step.Begin(place.key, fix, worker)));
    for (int stage = 0; stage < SteppedWork.STAGES_MAX; stage++) {
      steps.add(new Step.GoOn(worker));
    }
    return steps;
  }

  private <T> T oneOf(List<T> choice) {
    return choice.get(random.nextInt(choice.size()));
  }
}
