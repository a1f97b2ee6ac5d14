package io.quarry.agent.storage.block;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** A host's number, which is its key, too. */
final class TestSlot implements HostSlot {
  private final String key;
  private @Nullable Integer kept;

  TestSlot(int number) {
    this.key = "%032x".formatted(number + 1);
  }

  @Override
  public String key() {
    return key;
  }

  @Override
  public OptionalInt slot() {
    return kept == null ? OptionalInt.empty() : OptionalInt.of(kept);
  }

  @Override
  public void keep(int slot) {
    kept = slot;
  }
}
