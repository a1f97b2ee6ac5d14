package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.Fix;
import io.quarry.common.api.Problem;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.QueueFix;
import io.quarry.coordinator.plan.RandomRequests;
import io.quarry.coordinator.plan.ReapOpens;
import io.quarry.coordinator.plan.RemoveImage;
import io.quarry.coordinator.plan.ResumeFix;
import io.quarry.coordinator.plan.StalePins;
import io.quarry.coordinator.plan.Unpin;
import java.util.List;

/**
 * Brings repositories to their best state. Callers go away, and housekeeping removes their
 * leftovers. All fixes that check offers are run, and images that can never be finished are
 * removed.
 */
final class FileEnding {
  private static final int ROUNDS_MAX = 60;

  private final FileStory story;

  FileEnding(FileStory story) {
    this.story = story;
  }

  void run() throws Exception {
    story.tell("the end begins");
    for (FilePlace place : story.places()) {
      for (String host : RandomRequests.HOSTS) {
        story.ask(place, new ReapOpens(host));
      }
      // Only uploads are left, which outlive hosts.
      for (Open open : List.copyOf(place.state().opens().values())) {
        story.ask(place, new CloseImage(open.imageId(), open.id()));
      }
    }
    for (int round = 0; !quiet(); round++) {
      assertThat(round).as("rounds of fixing").isLessThan(ROUNDS_MAX);
      String before = states();
      for (FilePlace place : story.places()) {
        round(place);
      }
      if (states().equals(before)) {
        for (FilePlace place : story.places()) {
          giveUp(place);
        }
      }
    }
    for (FilePlace place : story.places()) {
      readAll(place);
    }
  }

  /** A difference may wait for a removed base; check must find nothing else. */
  private void readAll(FilePlace place) throws Exception {
    CheckReport report = null;
    do {
      String after = report == null ? null : report.next();
      CheckOptions options = new CheckOptions(true, after, 0);
      report = story.host().checks().run(place.repository(), options);
      assertThat(report.problems())
          .as("problems that a deep check finds")
          .allMatch(problem -> problem.kind() == Problem.Kind.MISSING_BASE);
    } while (report.next() != null);
  }

  private boolean quiet() throws Exception {
    for (FilePlace place : story.places()) {
      boolean still =
          place.state().fixes().isEmpty()
              && place.state().pins().isEmpty()
              && story.host().check(place.repository()).fixes().isEmpty();
      if (!still) {
        return false;
      }
    }
    return true;
  }

  private String states() {
    StringBuilder text = new StringBuilder();
    for (FilePlace place : story.places()) {
      text.append(place.state().volumes()).append(place.state().pins());
      text.append(place.state().fixes().keySet());
    }
    return text.toString();
  }

  private void round(FilePlace place) throws Exception {
    for (Pin pin : List.copyOf(place.state().pins().values())) {
      for (FilePlace target : story.places()) {
        if (target.key().equals(pin.targetKey()) && !StalePins.isNeeded(pin, target.state())) {
          story.ask(place, new Unpin(pin.id()));
        }
      }
    }
    for (FixState fix : List.copyOf(place.state().fixes().values())) {
      if (fix.paused()) {
        story.ask(place, new ResumeFix(fix.id()));
      }
      if (!fix.wanted()) {
        story.ask(place, new QueueFix(fix.id(), null));
      }
    }
    for (Fix fix : story.host().check(place.repository()).fixes()) {
      story.ask(place, story.host().checks().accept(place.repository(), fix));
    }
    for (String id : List.copyOf(place.state().fixes().keySet())) {
      FileStory.finish(story.begin(place, id));
    }
  }

  /** Removes copies whose source is gone. */
  private void giveUp(FilePlace place) throws Exception {
    for (FixState fix : List.copyOf(place.state().fixes().values())) {
      String imageId = String.valueOf(fix.imageId());
      if (place.state().visibleImage(imageId) != null) {
        story.ask(place, new RemoveImage(imageId, true, null, false));
      }
    }
  }
}
