package io.quarry.agent.demo;

import io.quarry.agent.demo.DemoReport.Moment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/** The events of the demo, with their times. Thread-safe. */
final class Timeline {
  private final LongSupplier nanos;
  private final long began;
  private final Audience audience;
  private final List<Moment> events = new ArrayList<>();

  Timeline(LongSupplier nanos, Audience audience) {
    this.nanos = nanos;
    this.began = nanos.getAsLong();
    this.audience = audience;
  }

  void add(String text) {
    add(nanos.getAsLong(), text);
  }

  /**
   * @param at the time of the event, on the clock of {@link System#nanoTime}
   */
  synchronized void add(long at, String text) {
    Moment event = new Moment(Duration.ofNanos(at - began), text);
    events.add(event);
    audience.event(event.at(), event.text());
  }

  synchronized List<Moment> events() {
    return List.copyOf(events);
  }

  Duration sinceBegin() {
    return Duration.ofNanos(nanos.getAsLong() - began);
  }
}
