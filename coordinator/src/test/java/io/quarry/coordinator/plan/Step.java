package io.quarry.coordinator.plan;

import java.time.Duration;

/**
 * One step of a story. A step names its subjects, so that a story stays valid when other steps are
 * left out: a step whose subject is missing does nothing.
 */
sealed interface Step {
  /** A caller sends a request to a repository. */
  record Ask(String repository, Request request) implements Step {}

  /** The writer of an image writes. */
  record Write(String repository, String openId) implements Step {}

  /** A worker gets the next epoch of a fix: light ones are granted, heavy ones claimed. */
  record Begin(String repository, String fixId, String worker) implements Step {}

  /** A worker does the next stage of its fix; a worker without further steps has crashed. */
  record GoOn(String worker) implements Step {}

  /** A worker releases its fix, or is proven dead: the world knows that it never continues. */
  record End(String worker) implements Step {}

  /** Time passes. */
  record Pass(Duration time) implements Step {}
}
