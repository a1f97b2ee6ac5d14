package io.quarry.coordinator.log;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A store whose calls a test sees, and before which other hosts go on. */
final class WatchedStore {
  private final SlotStore store;
  private final List<String> forced = new ArrayList<>();
  private String call = "";
  private int left;
  private Runnable meanwhile = () -> {};

  WatchedStore(SlotStore store) {
    this.store = store;
  }

  SlotStore store() {
    return (SlotStore)
        Proxy.newProxyInstance(
            SlotStore.class.getClassLoader(),
            new Class<?>[] {SlotStore.class},
            (proxy, method, arguments) -> call(method, arguments));
  }

  /** The host pauses before that occurrence of the call, and other hosts go on. */
  void pauseBefore(String method, String name, int occurrence, Runnable others) {
    call = method + " " + name;
    left = occurrence;
    meanwhile = others;
  }

  /** The names that were forced after their put. */
  List<String> forced() {
    return List.copyOf(forced);
  }

  private @Nullable Object call(Method method, Object @Nullable [] arguments) throws Throwable {
    Object first = arguments == null ? null : arguments[0];
    if (call.equals(method.getName() + " " + first) && --left == 0) {
      meanwhile.run();
    }
    if (method.getName().equals("force") && first instanceof List<?> names) {
      names.forEach(name -> forced.add((String) name));
    }
    try {
      return method.invoke(store, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
