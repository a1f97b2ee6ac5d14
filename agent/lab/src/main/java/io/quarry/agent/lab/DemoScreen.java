package io.quarry.agent.lab;

import io.quarry.agent.cli.ProgressLine;
import io.quarry.agent.demo.Audience;
import io.quarry.common.model.Progress;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Shows the running demo: events as lines that stay, and a bar below them. */
final class DemoScreen implements Audience {
  private final ProgressLine line;
  private final boolean bar;

  DemoScreen(ProgressLine line, boolean bar) {
    this.line = line;
    this.bar = bar;
  }

  @Override
  public synchronized void event(Duration at, String text) {
    line.say(moment(at, text));
  }

  @Override
  public synchronized void progress(String headline, @Nullable Progress progress) {
    if (bar) {
      line.show(headline, progress);
    }
  }

  static String moment(Duration at, String text) {
    return String.format(Locale.ROOT, "%7.2f s  %s", at.toMillis() / 1000.0, text);
  }
}
