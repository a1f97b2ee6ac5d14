package io.quarry.coordinator.plan;

import java.time.Duration;

/**
 * One thing that happens in a story. It names what it is about, so that a story from which other
 * steps were left out is a story still: what is about nothing does nothing.
 */
sealed interface Step {
  /** Somebody asks a repository for something. */
  record Ask(String repository, Request request) implements Step {}

  /** Whoever has an image open to write writes. */
  record Write(String repository, String openId) implements Step {}

  /** A worker gets the next epoch of a fix: light ones are granted, heavy ones claimed. */
  record Begin(String repository, String fixId, String worker) implements Step {}

  /** A worker does the next stage of its fix; one that never does so again has crashed. */
  record GoOn(String worker) implements Step {}

  /** A worker lets go of its fix, or is seen dead: it is known that it never goes on. */
  record End(String worker) implements Step {}

  /** The clock goes on. */
  record Pass(Duration time) implements Step {}
}
