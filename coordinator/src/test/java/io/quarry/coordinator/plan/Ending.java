package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.model.ImageState;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Brings repositories to their best state at the end of a story. Callers go away, and housekeeping
 * reaps their leftovers. A worker without faults does every fix. Images that can never be finished
 * are removed. The order is fixed, so that a story ends the same way each time.
 */
final class Ending {
  private static final int ROUNDS_MAX = 200;

  private final World world;
  private long step;
  private int workers;

  Ending(World world, long step) {
    this.world = world;
    this.step = step;
  }

  void run() {
    for (Place place : world.places()) {
      for (String host : RandomRequests.HOSTS) {
        ask(place, new ReapOpens(host));
        ask(place, new FenceMappings(host, place.state().extents().mappingsBy(host)));
      }
      // Only uploads are left, which outlive hosts.
      place.state().opens().values().stream()
          .sorted(Comparator.comparing(Open::id))
          .forEach(open -> ask(place, new CloseImage(open.imageId(), open.id())));
    }
    for (int round = 0; !quiet(); round++) {
      assertThat(round).as("rounds of fixing").isLessThan(ROUNDS_MAX);
      long before = finished();
      world.places().forEach(this::round);
      if (finished() == before) {
        world.places().forEach(this::giveUp);
      }
    }
    world.places().forEach(Ending::checkBest);
  }

  private boolean quiet() {
    return world.places().stream()
        .allMatch(place ->
            place.state().fixes().isEmpty()
                && place.state().pins().isEmpty()
                && place.orphans().isEmpty()
                && place.state().extents().allocations().stream()
                    .allMatch(each -> place.files.containsKey(each.file())));
  }

  private long finished() {
    return Stream.of(
            "finishMend",
            "finishReplacement",
            "finishMergeInPlace",
            "purgeVolume",
            "finishStray",
            "unpin")
        .mapToLong(operation -> world.accepted().getOrDefault(operation, 0))
        .sum();
  }

  private void round(Place place) {
    sorted(place.state().pins().keySet()).forEach(pin -> reap(place, pin));
    place.orphans().stream()
        .filter(file -> isOrphan(file, place.state()))
        .forEach(file -> ask(place, new QueueFix(FixState.orphanId(file), file)));
    place.state().extents().allocations().forEach(each -> ask(place, new FreeExtents(each.file())));
    for (String id : sorted(place.state().fixes().keySet())) {
      FixState fix = place.state().fixes().get(id);
      if (fix == null) {
        continue;
      }
      if (fix.paused()) {
        ask(place, new ResumeFix(id));
      }
      if (!fix.wanted()) {
        ask(place, new QueueFix(id, null));
      }
      String worker = "last" + workers++;
      take(new Step.Begin(place.key, id, worker));
      while (world.workers().containsKey(worker)) {
        take(new Step.GoOn(worker));
      }
    }
  }

  /** Reaps as housekeeping does: by the log of the repository that copies. */
  private void reap(Place place, String pinId) {
    Pin pin = place.state().pins().get(pinId);
    Place target = pin == null ? null : world.placeOf(pin.targetKey());
    if (pin != null && target != null && !StalePins.isNeeded(pin, target.state())) {
      ask(place, new Unpin(pinId));
    }
  }

  private static boolean isOrphan(String file, RepositoryState state) {
    Volume volume = state.volumes().get(file.split("\\.", 2)[0]);
    return volume == null || volume.stage() == Volume.Stage.READY;
  }

  /** Removes copies whose source is gone. */
  private void giveUp(Place place) {
    for (String id : sorted(place.state().fixes().keySet())) {
      FixState fix = place.state().fixes().get(id);
      String imageId = fix == null ? "" : String.valueOf(fix.imageId());
      if (place.state().visibleImage(imageId) != null) {
        ask(place, new RemoveImage(imageId, true, null, false));
      }
    }
  }

  private static void checkBest(Place place) {
    RepositoryState state = place.state();
    for (Image image : state.images().values()) {
      if (state.stateOf(image) != ImageState.OPTIMIZED) {
        assertThat(Condition.reason(state, image)).as("%s", image).endsWith("is missing");
      }
      if (!image.visible()) {
        assertThat(isBaseOfAVisibleOne(state, image)).as("%s is needed", image).isTrue();
        assertThat(state.mergedInto(image))
            .as("%s is kept for several overlays", image)
            .matches(target -> target == null || !state.isWhole(target));
      }
    }
    assertThat(state.volumes()).as("volumes of %s", place.key).hasSameSizeAs(state.images());
    assertThat(place.files).as("files of %s", place.key).hasSameSizeAs(state.volumes());
  }

  private static boolean isBaseOfAVisibleOne(RepositoryState state, Image base) {
    return state.images().values().stream()
        .filter(Image::visible)
        .anyMatch(image -> state.chainOf(image).contains(base));
  }

  private void ask(Place place, Request request) {
    take(new Step.Ask(place.key, request));
  }

  private void take(Step next) {
    world.take(step++, next);
  }

  private static List<String> sorted(java.util.Collection<String> ids) {
    return ids.stream().sorted().toList();
  }
}
