package io.quarry.agent.storage.block;

import io.quarry.coordinator.log.Names;
import io.quarry.coordinator.sim.Life;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The threads of one life at one store. The scheduler does not see who holds the store's monitor
 * over its I/O: a thread that would wait for the monitor hands over its turn instead.
 */
final class StoreTurns {
  private final Consumer<String> beforeEachStep;
  private final Life life;
  private @Nullable BlockSlotStore store;
  private @Nullable Thread inside;
  private @Nullable Thread checkpointing;

  StoreTurns(Consumer<String> beforeEachStep, Life life) {
    this.beforeEachStep = beforeEachStep;
    this.life = life;
  }

  InvocationHandler of(BlockSlotStore own) {
    store = own;
    return (proxy, method, arguments) -> call(own, method, arguments);
  }

  private @Nullable Object call(BlockSlotStore own, Method method, Object @Nullable [] arguments)
      throws Throwable {
    Thread self = Thread.currentThread();
    try {
      if (putsCheckpoint(method, arguments)) {
        await(() -> checkpointing == null);
        checkpointing = self;
      }
      enter();
      return method.invoke(own, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    } finally {
      inside = inside == self ? null : inside;
      checkpointing = checkpointing == self ? null : checkpointing;
    }
  }

  private static boolean putsCheckpoint(Method method, Object @Nullable [] arguments) {
    return method.getName().equals("putIfAbsent")
        && arguments != null
        && Names.checkpointNumber((String) arguments[0]) != Names.NONE;
  }

  private void enter() {
    await(() -> inside == null);
    inside = Thread.currentThread();
  }

  private void await(BooleanSupplier free) {
    while (!free.getAsBoolean()) {
      var _ = life.await(free, "waits for the store");
    }
  }

  /** Other threads may use the store while a thread without the monitor waits for the device. */
  void step(String what) {
    boolean leaves = inside == Thread.currentThread() && !Thread.holdsLock(store);
    inside = leaves ? null : inside;
    beforeEachStep.accept(what);
    if (leaves) {
      enter();
    }
  }
}
