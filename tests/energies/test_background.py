"""A thread that works in order, a bounded number of items behind, and hides no error."""

import threading

import pytest

from workflow_scripts.semstat.energies.background import in_background


def test_everything_is_done_in_order_by_one_other_thread():
    done, threads = [], set()

    def work(item):
        threads.add(threading.get_ident())
        done.append(item)

    with in_background(work) as put:
        for item in range(50):
            put(item)
    assert done == list(range(50))
    assert len(threads) == 1 and threading.get_ident() not in threads


def test_no_more_items_wait_than_told():
    go, undone, most = threading.Semaphore(0), 0, 0

    def work(_):
        nonlocal undone
        go.acquire()
        undone -= 1

    with in_background(work, waiting=3) as put:
        for item in range(20):
            if item >= 3:
                go.release()
            put(item)
            undone += 1
            most = max(most, undone)
        go.release(3)
    assert undone == 0 and most <= 4


@pytest.mark.parametrize("fatal", [3, 9])
def test_an_error_is_raised_here_and_nothing_is_done_after_it(fatal):
    done = []

    def work(item):
        if item == fatal:
            raise OSError("no room")
        done.append(item)

    with pytest.raises(OSError, match="no room"), in_background(work, waiting=2) as put:
        for item in range(10):
            put(item)
    assert done[:fatal] == list(range(fatal))
    assert not done[fatal:], "what came after it was not begun"


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_ends_with_the_item_in_work(interrupt):
    before = threading.active_count()
    begun, go, done = threading.Event(), threading.Event(), []

    def work(item):
        begun.set()
        go.wait(10)
        done.append(item)

    with pytest.raises(interrupt), in_background(work, waiting=5) as put:
        for item in range(4):
            put(item)
        begun.wait(10)
        threading.Timer(0.05, go.set).start()
        raise interrupt
    assert done == [0]
    assert threading.active_count() <= before + 1  # the timer may still be ending
